import type { ReactNode } from 'react';
import { API_BASE, releaseVersion } from '../places.ts';
import { Facts, Page } from '../ui/page.tsx';

export const AboutPage = (): ReactNode => (
  <Page title="About">
    <Facts
      of={{
        Release: releaseVersion(),
        API: <a href={`${API_BASE}/docs`}>described on a page</a>,
        'For programs': <a href={`${API_BASE}/openapi.json`}>openapi.json</a>,
        Licences: 'beside each script, in the file of the same name that ends with .LEGAL.txt',
      }}
    />
  </Page>
);
