import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages } from '../api/client.ts';
import type { StoredFile } from '../files/use-upload.ts';

interface KnownFilesProps {
  readonly kind: 'receptor' | 'ligand';
  readonly onChoose: (file: StoredFile) => void;
}

/** Files that were sent before; nothing where there are none. */
export const KnownFiles = ({ kind, onChoose }: KnownFilesProps): ReactNode => {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['o', useContextOfPages(), 'files', 'known'],
    queryFn: () => dataOf(api.GET('/files', { params: { query: { limit: 200 } } })),
  });
  const files = (data?.items ?? []).filter((file) => file.kind === kind);
  if (files.length === 0) return null;
  return (
    <label className="inline">
      <span>or one that was sent before</span>
      <select
        value=""
        onChange={({ target }) => {
          const file = files.find(({ sha256 }) => sha256 === target.value);
          if (file !== undefined) onChoose(file);
        }}
      >
        <option value="">choose…</option>
        {files.map(({ sha256, name }) => (
          <option key={sha256} value={sha256}>
            {name ?? sha256.slice(0, 12)}
          </option>
        ))}
      </select>
    </label>
  );
};
