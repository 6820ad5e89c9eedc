import type { ReactNode } from 'react';
import { API_BASE, licencesAddress, releaseVersion } from '../places.ts';
import { Facts, Page } from '../ui/page.tsx';

export const AboutPage = (): ReactNode => (
  <Page title="About">
    <Facts
      of={{
        Release: releaseVersion(),
        API: <a href={`${API_BASE}/docs`}>described on a page</a>,
        'For programs': <a href={`${API_BASE}/openapi.json`}>openapi.json</a>,
        Licences: <a href={licencesAddress()}>of what this console is made of</a>,
      }}
    />
  </Page>
);
