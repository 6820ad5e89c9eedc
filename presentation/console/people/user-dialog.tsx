import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApi, type Schemas } from '../api/client.ts';
import { usePerson } from '../session.ts';
import { ActionDialog, type Said } from '../ui/dialog.tsx';
import { toast } from '../ui/toast.tsx';

interface UserDialogProps {
  readonly user: Schemas['User'];
  readonly onClose: () => void;
}

/** Disables somebody, makes somebody an operator, or has a password changed. */
export const UserDialog = ({ user, onClose }: UserDialogProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const isSelf = usePerson().userId === user.user_id;
  const [isActive, setIsActive] = useState(user.status === 'active');
  const [isOperator, setIsOperator] = useState(user.platform_admin);
  const [mustChange, setMustChange] = useState(user.must_change_password);
  const loses = (user.platform_admin && !isOperator) || (user.status === 'active' && !isActive);
  const save = async ({ headers }: Said): Promise<void> => {
    await api.PATCH('/users/{user_id}', {
      headers,
      params: { path: { user_id: user.user_id } },
      body: {
        status: isActive ? 'active' : 'disabled',
        platform_admin: isOperator,
        ...(user.has_password && { must_change_password: mustChange }),
        seen: {
          status: user.status,
          platform_admin: user.platform_admin,
          must_change_password: user.must_change_password,
        },
      },
    });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`${user.email} is changed.`);
  };
  return (
    <ActionDialog title={user.email} act="Save" type={user.email} perform={save} onClose={onClose}>
      <label className="check">
        <input
          type="checkbox"
          checked={isActive}
          disabled={isSelf}
          onChange={({ target }) => setIsActive(target.checked)}
        />
        may log in
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={isOperator}
          disabled={isSelf}
          onChange={({ target }) => setIsOperator(target.checked)}
        />
        is an operator of the platform
      </label>
      {user.has_password && (
        <label className="check">
          <input
            type="checkbox"
            checked={mustChange}
            onChange={({ target }) => setMustChange(target.checked)}
          />
          has to choose another password at the next login
        </label>
      )}
      {isSelf && <p className="faint">This is you: another operator has to change the first two.</p>}
      {loses && <p>All sessions and tokens of this account that rest on it end within a second.</p>}
    </ActionDialog>
  );
};
