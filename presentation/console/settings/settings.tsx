import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useApi } from '../api/client.ts';
import { useAction } from '../ui/action.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { changesOf, QUOTA_GROUPS, typedOf, type Quota } from './quotas.ts';

interface SettingsProps {
  readonly organizationId: string;
}

interface Kept {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: string;
}

/** What an organization may take, for its administrators and for operators. */
export const Settings = ({ organizationId: id }: SettingsProps): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['o', id, 'settings'],
    queryFn: async (): Promise<Kept> => {
      const { data, response } = await api.GET('/organizations/{org_id}/settings', {
        params: { path: { org_id: id } },
      });
      return { settings: data?.settings ?? {}, version: response.headers.get('ETag') ?? '*' };
    },
  });
  return (
    <Loaded query={query}>
      {(kept) => <SettingsForm key={kept.version} organizationId={id} kept={kept} />}
    </Loaded>
  );
};

const SettingsForm = ({ organizationId: id, kept }: SettingsProps & { readonly kept: Kept }): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const { busy, error, run } = useAction();
  const before = typedOf(kept.settings);
  const [typed, setTyped] = useState(before);
  const changes = changesOf(before, typed);
  const others = Object.keys(kept.settings).filter((name) => !(name in before));
  const save = (event: FormEvent): void => {
    event.preventDefault();
    run(async () => {
      await api.PATCH('/organizations/{org_id}/settings', {
        params: { path: { org_id: id }, header: { 'If-Match': kept.version } },
        body: { settings: changes },
      });
      await queries.invalidateQueries({ queryKey: ['o', id, 'settings'] });
      toast('The settings hold in every process within a second.');
    });
  };
  return (
    <form onSubmit={save}>
      {Object.entries(QUOTA_GROUPS).map(([title, quotas]) => (
        <Section key={title} title={title}>
          <div className="panel settings">
            {quotas.map((quota) => (
              <Field
                key={quota.name}
                quota={quota}
                value={typed[quota.name] ?? ''}
                onChange={(value) => setTyped({ ...typed, [quota.name]: value })}
              />
            ))}
          </div>
        </Section>
      ))}
      {others.length > 0 && (
        <p className="faint">
          Kept beside them, without a meaning to the service: <code>{others.join(', ')}</code>
        </p>
      )}
      {error !== null && <Problem error={error} />}
      <p className="row end">
        <button type="button" disabled={Object.keys(changes).length === 0} onClick={() => setTyped(before)}>
          Reset
        </button>
        <button className="primary" disabled={busy || Object.keys(changes).length === 0}>
          Save
        </button>
      </p>
    </form>
  );
};

interface FieldProps {
  readonly quota: Quota;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const Field = ({
  quota: { name, label, unit, otherwise, beyond },
  value,
  onChange,
}: FieldProps): ReactNode => (
  <label>
    <span>
      {label}, <span className="faint">{unit}</span>
    </span>
    <input
      type="number"
      min={1}
      step={1}
      name={name}
      value={value}
      placeholder={otherwise}
      onChange={(event) => onChange(event.target.value)}
    />
    <small className="faint">{beyond}</small>
  </label>
);
