import { useState, type FormEvent, type ReactNode } from 'react';
import { hasCode } from '../api/problem-error.ts';
import { logIn } from '../session.ts';
import { Problem } from '../ui/problem.tsx';

const LOOPBACK = /^(?:localhost|127\.|\[::1\])/;

/** Whether what is typed here goes through the network as it is. */
const isOpenToListeners = (): boolean => location.protocol !== 'https:' && !LOOPBACK.test(location.hostname);

/** Shown in place of any page while nobody is logged in: the address stays, and the page comes after the login. */
export const LoginPage = ({ over }: { readonly over: boolean }): ReactNode => {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [newPassword, setNewPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const mustChange = hasCode(error, 'password_change_required') || newPassword !== '';
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await logIn({ email, password, ...(newPassword !== '' && { newPassword }) });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <main className="login">
      <form className="panel stack" onSubmit={(event) => void submit(event)}>
        <h1>Molecular Analysis Dashboard</h1>
        {over && error === null && <p role="status">The session is over. Log in again to go on here.</p>}
        {isOpenToListeners() && (
          <p className="notice">
            This page came without encryption: whoever listens in this network can read the password.
          </p>
        )}
        {error !== null && !hasCode(error, 'password_change_required') && <Problem error={error} />}
        <label>
          Email
          <input
            type="email"
            required
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </label>
        <label>
          Password
          <input
            type="password"
            required
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {mustChange && (
          <label>
            New password (the one you have was set by somebody else)
            <input
              type="password"
              required
              minLength={12}
              autoComplete="new-password"
              value={newPassword}
              onChange={(event) => setNewPassword(event.target.value)}
            />
          </label>
        )}
        <button className="primary" disabled={busy}>
          Log in
        </button>
        <p className="faint">
          No account? An operator makes one for you, and an administrator of your organization adds you to it.
        </p>
      </form>
    </main>
  );
};
