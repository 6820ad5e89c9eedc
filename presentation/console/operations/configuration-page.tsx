import { useQuery } from '@tanstack/react-query';
import { useCallback, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Choice, SearchBox } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Table, type Column } from '../ui/table.tsx';

type Setting = Schemas['EffectiveConfiguration']['items'][number];

const SOURCES = ['environment', 'file', 'start', 'default'] as const;

const readSearch = (raw: RawSearch) => ({ q: textIn(raw, 'q'), source: oneOf(raw, 'source', SOURCES) });

export const ConfigurationPage = (): ReactNode => {
  const api = useApi();
  const [{ q, source }, change] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['fleet', 'config'],
    queryFn: () => dataOf(api.GET('/admin/config')),
  });
  const ask = useCallback((text: string | undefined) => change({ q: text }), [change]);
  const fits = (setting: Setting): boolean =>
    (source === undefined || setting.source === source) &&
    `${setting.name} ${setting.means}`.toLowerCase().includes((q ?? '').toLowerCase());
  return (
    <Page
      title="Configuration"
      lead="What the process that answers runs with, and where each value comes from. Secrets are masked."
    >
      <div className="filters">
        <SearchBox label="Holds" value={q} onChange={ask} />
        <Choice
          label="Source"
          options={SOURCES}
          value={source}
          onChange={(chosen) => change({ source: chosen })}
        />
      </div>
      <Loaded query={query}>
        {({ items }) => {
          const shown = items.filter(fits);
          const sections = [...new Set(shown.map(({ section }) => section))];
          if (sections.length === 0) return <p className="empty">No setting is like that.</p>;
          return sections.map((section) => (
            <Section key={section} title={section.replaceAll('`', '')}>
              <Table
                label={section}
                columns={COLUMNS}
                rows={shown.filter((setting) => setting.section === section)}
                rowKey={({ name }) => name}
                empty=""
              />
            </Section>
          ));
        }}
      </Loaded>
    </Page>
  );
};

/** Names that stand between backticks are code. */
const Prose = ({ text }: { readonly text: string }): ReactNode =>
  text.split('`').map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part));

const COLUMNS: readonly Column<Setting>[] = [
  { head: 'Name', width: '19rem', cell: ({ name }) => <code>{name}</code> },
  {
    head: 'Value',
    cell: ({ value }) => (value === null ? <span className="faint">none</span> : <code>{value}</code>),
  },
  { head: 'From', width: '7rem', cell: ({ source }) => source },
  { head: 'Means', minor: true, width: '30rem', cell: ({ means }) => <Prose text={means} /> },
];
