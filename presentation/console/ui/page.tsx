import { useEffect, type ReactNode } from 'react';

interface PageProps {
  readonly title: string;
  /** In the tab of the browser; the title by default. */
  readonly tab?: string;
  /** One sentence on what the page is for. */
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export const Page = ({ title, tab = title, lead, actions, children }: PageProps): ReactNode => {
  useEffect(() => {
    document.title = `${tab} · MAD`;
  }, [tab]);
  return (
    <>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p className="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div className="row">{actions}</div>}
      </header>
      {children}
    </>
  );
};

interface SectionProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export const Section = ({ title, aside, children }: SectionProps): ReactNode => (
  <section className="section" aria-label={title}>
    <header className="row spread">
      <h2>{title}</h2>
      {aside}
    </header>
    {children}
  </section>
);

/** Names and values. Values that are null are left out. */
export const Facts = ({ of }: { readonly of: Readonly<Record<string, ReactNode>> }): ReactNode => (
  <dl className="facts">
    {Object.entries(of)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);

interface EmptyProps {
  readonly children: ReactNode;
  /** The same by the API. */
  readonly curl?: string;
}

/** What would be here, and how it comes to be here. */
export const Empty = ({ children, curl }: EmptyProps): ReactNode => (
  <>
    {children}
    {curl !== undefined && (
      <details>
        <summary>By the API</summary>
        <pre>{curl}</pre>
      </details>
    )}
  </>
);
