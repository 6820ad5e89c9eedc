import type { ReactNode } from 'react';
import { staySelf, takeLink, type Person } from '../session.ts';

interface LinkQuestionProps {
  readonly present: Person;
  readonly offered: Person;
  readonly token: string;
}

/** Whoever is logged in is not somebody else because of a link. */
export const LinkQuestion = ({ present, offered, token }: LinkQuestionProps): ReactNode => (
  <main className="login">
    <div className="panel stack">
      <h1>This link is for somebody else</h1>
      <p>
        You are here as <strong>{present.email}</strong>. What you do by the link is done as{' '}
        <strong>{offered.email}</strong>.
      </p>
      <button className="primary" onClick={() => staySelf(present)}>
        Stay {present.email}
      </button>
      <button onClick={() => takeLink(token)}>Go on as {offered.email}, in this tab</button>
      <p className="faint">Other tabs stay as they are, and nobody is logged out.</p>
    </div>
  </main>
);
