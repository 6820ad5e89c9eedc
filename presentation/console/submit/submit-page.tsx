import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages } from '../api/client.ts';
import { FileDrop } from '../files/file-drop.tsx';
import { Findings } from '../files/findings.tsx';
import { number } from '../format.ts';
import { QueueNotices } from '../jobs/queue-notices.tsx';
import { textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { BoxFields } from './box-fields.tsx';
import {
  dockable,
  EMPTY_DRAFT,
  keepDraft,
  keptDraft,
  problemsOf,
  type Draft,
  type DraftFile,
} from './draft.ts';
import { KnownFiles } from './known-files.tsx';
import { draftFrom } from './prefill.ts';
import './submit.css';
import { useSubmit } from './use-submit.ts';

const readSearch = (raw: RawSearch) => ({ from: textIn(raw, 'from'), campaign: textIn(raw, 'campaign') });

export const SubmitPage = (): ReactNode => {
  const api = useApi();
  const orgId = useContextOfPages() ?? '';
  const [{ from, campaign }] = useSearchOf(readSearch);
  const query = useQuery({
    // Not below what events refresh: what somebody is typing stays.
    queryKey: ['draft', orgId, from, campaign],
    staleTime: Infinity,
    gcTime: 0,
    queryFn: async (): Promise<Draft> => {
      if (campaign !== undefined) {
        const path = { campaign_id: campaign };
        const found = await dataOf(api.GET('/campaigns/{campaign_id}', { params: { path } }));
        return { ...draftFrom(found), campaignId: campaign, name: found.name };
      }
      if (from === undefined) return keptDraft(orgId);
      return draftFrom(await dataOf(api.GET('/jobs/{job_id}', { params: { path: { job_id: from } } })));
    },
  });
  return (
    <Page
      title="Dock ligands"
      lead="AutoDock Vina docks each ligand into the receptor, inside the search box."
    >
      <Loaded query={query}>{(draft) => <Form key={`${from} ${campaign}`} initial={draft} />}</Loaded>
    </Page>
  );
};

const Form = ({ initial }: { readonly initial: Draft }): ReactNode => {
  const orgId = useContextOfPages() ?? '';
  const [draft, setDraft] = useState(initial);
  const change = (part: Partial<Draft>): void => setDraft((now) => ({ ...now, ...part }));
  useEffect(() => keepDraft(orgId, draft), [orgId, draft]);
  const { errors, warnings } = problemsOf(draft);
  const { busy, error, submit } = useSubmit(draft);
  const count = dockable(draft).length;
  const needsName = draft.campaignId === null && draft.ligands.length > 1;
  const missing = needsName && draft.name.trim() === '' ? ['Give the campaign a name.'] : [];
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (errors.length + missing.length === 0) void submit();
  };
  return (
    <form className="submit stack" onSubmit={send}>
      <fieldset className="panel stack">
        <legend>1 Receptor</legend>
        {draft.receptor === null ? (
          <>
            <FileDrop
              label="Drop the receptor here (PDBQT), or choose it"
              accept=".pdbqt"
              onStored={(receptor) => change({ receptor })}
            />
            <KnownFiles kind="receptor" onChoose={(receptor) => change({ receptor })} />
          </>
        ) : (
          <Chosen file={draft.receptor} onRemove={() => change({ receptor: null })} />
        )}
      </fieldset>
      <fieldset className="panel stack">
        <legend>2 Ligands</legend>
        <FileDrop
          label="Drop ligands here (PDBQT, one molecule a file), or choose them"
          accept=".pdbqt"
          multiple
          onStored={(ligand) => setDraft((now) => withLigand(now, ligand))}
        />
        <KnownFiles kind="ligand" onChoose={(ligand) => setDraft((now) => withLigand(now, ligand))} />
        {draft.ligands.length > 0 && (
          <>
            <p>
              {number(draft.ligands.length)} chosen, {number(count)} can be docked{' '}
              <button type="button" onClick={() => change({ ligands: [] })}>
                Remove all
              </button>
            </p>
            <ul className="chosen">
              {draft.ligands.map((ligand) => (
                <li key={ligand.sha256}>
                  <Chosen
                    file={ligand}
                    onRemove={() =>
                      change({ ligands: draft.ligands.filter(({ sha256 }) => sha256 !== ligand.sha256) })
                    }
                  />
                </li>
              ))}
            </ul>
          </>
        )}
      </fieldset>
      <fieldset className="panel stack">
        <legend>3 Search box</legend>
        <BoxFields draft={draft} onChange={(box) => change({ box })} />
      </fieldset>
      <Settings draft={draft} onChange={change} />
      <fieldset className="panel stack">
        <legend>5 Check and submit</legend>
        {[...errors, ...missing].map((text) => (
          <p key={text}>✖ {text}</p>
        ))}
        {warnings.map((text) => (
          <p key={text} className="notice">
            {text}
          </p>
        ))}
        <QueueNotices engine="vina" />
        {error !== null && <Problem error={error} />}
        <div className="row">
          <button className="primary" disabled={busy || errors.length + missing.length > 0}>
            {busy ? 'Submitting…' : count === 1 ? 'Submit the job' : `Submit ${number(count)} jobs`}
          </button>
          <button type="button" onClick={() => setDraft({ ...EMPTY_DRAFT, campaignId: draft.campaignId })}>
            Empty the form
          </button>
          <span className="faint">The draft is kept in this browser.</span>
        </div>
      </fieldset>
    </form>
  );
};

const withLigand = (draft: Draft, ligand: DraftFile): Draft => ({
  ...draft,
  ligands: [...draft.ligands.filter(({ sha256 }) => sha256 !== ligand.sha256), ligand],
});

interface ChosenProps {
  readonly file: DraftFile;
  readonly onRemove: () => void;
}

const Chosen = ({ file, onRemove }: ChosenProps): ReactNode => (
  <div className="row">
    <strong>{file.name ?? file.sha256.slice(0, 12)}</strong>
    <Findings of={file} />
    <button type="button" className="plain" onClick={onRemove}>
      Remove<span className="hidden"> {file.name}</span>
    </button>
  </div>
);

interface SettingsProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

const Settings = ({ draft, onChange }: SettingsProps): ReactNode => (
  <fieldset className="panel stack">
    <legend>4 Settings</legend>
    <div className="box-fields">
      <label>
        Exhaustiveness
        <input
          inputMode="numeric"
          value={draft.exhaustiveness}
          onChange={({ target }) => onChange({ exhaustiveness: target.value })}
        />
      </label>
      <label>
        Poses, at most
        <input
          inputMode="numeric"
          value={draft.modes}
          onChange={({ target }) => onChange({ modes: target.value })}
        />
      </label>
      <label>
        Seed (empty: chosen)
        <input
          inputMode="numeric"
          value={draft.seed}
          onChange={({ target }) => onChange({ seed: target.value })}
        />
      </label>
    </div>
    <label className="check">
      <input
        type="checkbox"
        checked={draft.usesCache}
        onChange={({ target }) => onChange({ usesCache: target.checked })}
      />
      Let a finished job with the same inputs answer
    </label>
    {draft.campaignId === null ? (
      <label>
        Campaign, which ranks the ligands
        {draft.ligands.length > 1 ? '' : ' (may stay empty for a single one)'}
        <input
          value={draft.name}
          maxLength={200}
          onChange={({ target }) => onChange({ name: target.value })}
        />
      </label>
    ) : (
      <p>
        For the campaign <strong>{draft.name}</strong>.
      </p>
    )}
  </fieldset>
);
