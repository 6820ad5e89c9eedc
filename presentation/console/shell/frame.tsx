import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { ContextOfPages } from '../api/client.ts';
import { labPlaces } from '../lab/lab-places.ts';
import { setPaused, usePaused } from '../live.ts';
import { logOut, usePerson, type Context } from '../session.ts';
import { toast, Toasts } from '../ui/toast.tsx';
import { setZone, useZone } from '../ui/time.tsx';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import { FLEET_PLACES, type Place } from './navigation.ts';
import { Palette } from './palette.tsx';
import { ThemeChoice } from './theme-choice.tsx';

/** What is around every page of the fleet or of one organization. */
export const Frame = ({ context }: { readonly context: Context }): ReactNode => {
  const places = context === null ? FLEET_PLACES : labPlaces(context);
  const [open, setOpen] = useState<'palette' | 'help' | null>(null);
  const main = useRef<HTMLElement>(null);
  useKeys(places, setOpen);
  useFocusOnPage(main);
  const close = (): void => setOpen(null);
  return (
    <ContextOfPages value={context}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <div className="frame">
        <header className="top">
          <Link to="/" className="brand">
            MAD
          </Link>
          <ContextChoice context={context} />
          <button className="push" onClick={() => setOpen('palette')} aria-keyshortcuts="Control+K Meta+K">
            Go to… <kbd>Ctrl K</kbd>
          </button>
          <LiveSwitch />
          <ZoneSwitch />
          <PersonMenu onHelp={() => setOpen('help')} />
        </header>
        <nav className="side" aria-label="Pages">
          {places.map((place) => (
            <PlaceLink key={place.to} {...place} />
          ))}
        </nav>
        <main id="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Toasts />
      {open === 'palette' && <Palette context={context} places={places} onClose={close} />}
      {open === 'help' && <Help places={places} onClose={close} />}
    </ContextOfPages>
  );
};

const PlaceLink = ({ to, label, exact = false }: Place): ReactNode => (
  <Link to={to} activeOptions={{ exact, includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
    {label}
  </Link>
);

/** A new page is announced: the focus goes to it, not to the top of the document. */
const useFocusOnPage = (main: { readonly current: HTMLElement | null }): void => {
  const pathname = useRouterState({ select: ({ location }) => location.pathname });
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, main]);
};

const FLEET = '*';

/** The fleet, and the organizations of the person. */
const ContextChoice = ({ context }: { readonly context: Context }): ReactNode => {
  const { platformAdmin, memberships } = usePerson();
  const navigate = useNavigate();
  if (memberships.length + Number(platformAdmin) < 2) return <strong>{context ?? 'Fleet'}</strong>;
  return (
    <select
      aria-label="Where"
      value={context ?? FLEET}
      onChange={({ target: { value } }) =>
        void (value === FLEET
          ? navigate({ to: '/fleet' })
          : navigate({ to: '/o/$orgId', params: { orgId: value } }))
      }
    >
      {platformAdmin && <option value={FLEET}>Fleet</option>}
      {memberships.map(({ org_id: id }) => (
        <option key={id}>{id}</option>
      ))}
    </select>
  );
};

const LiveSwitch = (): ReactNode => {
  const paused = usePaused();
  return (
    <button
      aria-pressed={!paused}
      onClick={() => setPaused(!paused)}
      title={paused ? 'Nothing is asked for until you go on' : 'What is shown is asked for again by itself'}
    >
      {paused ? '❚❚ Paused' : '● Live'}
    </button>
  );
};

const ZoneSwitch = (): ReactNode => {
  const zone = useZone();
  return (
    <button
      title="In which zone moments are shown"
      aria-label={zone === 'utc' ? 'Times in UTC; show local times' : 'Local times; show UTC'}
      onClick={() => setZone(zone === 'utc' ? 'local' : 'utc')}
    >
      {zone === 'utc' ? 'UTC' : 'Local'}
    </button>
  );
};

const logOutOrSay = async (): Promise<void> => {
  try {
    await logOut();
  } catch (error) {
    toast(`You are still logged in. ${error instanceof Error ? error.message : String(error)}`);
  }
};

const PersonMenu = ({ onHelp }: { readonly onHelp: () => void }): ReactNode => {
  const person = usePerson();
  const menu = useRef<HTMLDetailsElement>(null);
  const leave = (act: () => void) => (): void => {
    if (menu.current !== null) menu.current.open = false;
    act();
  };
  return (
    <details className="menu" ref={menu}>
      <summary>{person.email}</summary>
      <div className="panel stack">
        <ThemeChoice />
        <button onClick={leave(onHelp)}>Keys (?)</button>
        <button onClick={leave(() => void logOutOrSay())}>
          {person.byStartLink ? 'Forget the token of the link' : 'Log out'}
        </button>
      </div>
    </details>
  );
};
