import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages } from '../api/client.ts';
import { bytes, words } from '../format.ts';
import { textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { SaveButton } from '../ui/save-button.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';
import { FileDrop } from './file-drop.tsx';
import { Findings } from './findings.tsx';
import type { StoredFile } from './use-upload.ts';

const readSearch = (raw: RawSearch) => ({ after: textIn(raw, 'after') });

export const FilesPage = (): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const queries = useQueryClient();
  const [{ after }] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['o', context, 'files', after],
    queryFn: () =>
      dataOf(
        api.GET('/files', {
          params: { query: { limit: 100, ...(after !== undefined && { cursor: after }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const stored = (file: StoredFile): void => {
    toast(`${file.name ?? file.sha256} is stored.`);
    void queries.invalidateQueries({ queryKey: ['o', context, 'files'] });
  };
  return (
    <Page
      title="Files"
      lead="What is docked, and what came of it. A file that no job uses is deleted a day after it was sent."
    >
      <div className="stack">
        <FileDrop label="Drop files here, or choose some" multiple onStored={stored} />
        <Loaded query={query}>
          {({ items, next_cursor: next }) => (
            <>
              <Table
                label="Files"
                columns={COLUMNS}
                rows={items}
                rowKey={({ sha256 }) => sha256}
                empty={<p>No file yet. Files come here as they are sent, also by the form “Dock ligands”.</p>}
              />
              <Pager after={after} next={next} shown={items.length} />
            </>
          )}
        </Loaded>
      </div>
    </Page>
  );
};

const COLUMNS: readonly Column<StoredFile>[] = [
  { head: 'Name', cell: ({ name, sha256 }) => name ?? <code>{sha256.slice(0, 12)}…</code> },
  { head: 'Kind', minor: true, width: '8rem', cell: ({ kind }) => (kind === null ? '' : words(kind)) },
  { head: 'Size', numeric: true, minor: true, width: '7rem', cell: ({ size_bytes: size }) => bytes(size) },
  { head: 'Findings', cell: (file) => (file.kind === null ? '' : <Findings of={file} />) },
  { head: 'Sent', minor: true, width: '8rem', cell: ({ created_at: at }) => <Age at={at} /> },
  {
    head: 'Get it',
    width: '8rem',
    cell: ({ sha256, name }) => (
      <span className="row">
        <SaveButton path={`/files/${sha256}`} name={name ?? sha256}>
          Download
        </SaveButton>
        <CopyButton text={`sha256:${sha256}`} what="its SHA-256" />
      </span>
    ),
  },
];
