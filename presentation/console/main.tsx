import './styles/main.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { ProblemError } from './api/problem-error.ts';
import { makeRouter } from './router.tsx';
import { beginSession, useSession, watchSession } from './session.ts';
import { LinkQuestion } from './shell/link-question.tsx';
import { LoginPage } from './shell/login-page.tsx';
import { Loading } from './ui/loading.tsx';
import { Problem } from './ui/problem.tsx';

/** What the service refuses for a reason stays refused; what it could not do now it may do in a moment. */
const mayRetry = (failures: number, error: Error): boolean =>
  failures < 2 && error instanceof ProblemError && error.problem.status === 503;

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: mayRetry, staleTime: 1_000, refetchOnWindowFocus: false, networkMode: 'always' },
  },
});
const router = makeRouter();

const App = (): ReactNode => {
  const session = useSession();
  // The next person sees nothing of this one.
  if (session.state !== 'in') queries.clear();
  if (session.state === 'unknown') return <Loading />;
  if (session.state === 'asked') return <LinkQuestion {...session} />;
  if (session.state === 'unreachable')
    return (
      <main>
        <Problem error={session.error} retry={() => void beginSession()} />
      </main>
    );
  if (session.state === 'out') return <LoginPage over={session.over} />;
  return <RouterProvider router={router} />;
};

const root = document.querySelector('#root');
if (root === null) throw new Error('the page has no place for the console');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
watchSession();
void beginSession();
