import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApi, type Schemas } from '../api/client.ts';
import { ActionDialog, type Said } from '../ui/dialog.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

export type Session = Schemas['SessionList']['items'][number];

interface EndSessionsProps {
  readonly user: Schemas['User'];
  readonly session: Session | 'all';
  readonly onClose: () => void;
}

/** Logs somebody out: of one session, or of all. */
export const EndSessionsDialog = ({ user, session, onClose }: EndSessionsProps): ReactNode => {
  const { user_id: userId, email } = user;
  const api = useApi();
  const queries = useQueryClient();
  const end = async ({ headers }: Said): Promise<void> => {
    if (session === 'all')
      await api.DELETE('/users/{user_id}/sessions', { headers, params: { path: { user_id: userId } } });
    else
      await api.DELETE('/users/{user_id}/sessions/{session_id}', {
        headers,
        params: { path: { user_id: userId, session_id: session.session_id } },
      });
    await queries.invalidateQueries({ queryKey: ['fleet', 'user', userId] });
    toast(session === 'all' ? `${email} is logged out everywhere.` : 'The session has ended.');
  };
  return (
    <ActionDialog
      title={session === 'all' ? `End all sessions of ${email}` : `End a session of ${email}`}
      act={session === 'all' ? 'End them' : 'End it'}
      type={email}
      perform={end}
      onClose={onClose}
    >
      <p>
        {session === 'all' ? (
          'All of them end,'
        ) : (
          <>
            The one that was opened <Age at={session.opened_at} /> ends,
          </>
        )}{' '}
        with the tokens that were made in it, in every process within a second. What is not saved in an open
        page is lost. The password stays good: disable the account, or have the password changed, to keep the
        person out.
      </p>
    </ActionDialog>
  );
};
