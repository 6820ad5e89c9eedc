import type { ComponentType } from 'react';

/** A page below the frame of the fleet or of an organization. */
export interface PageRoute {
  /** With `$name` for what is named in it. */
  readonly path: string;
  /** Its module exports the page as `Page`. */
  readonly load: () => Promise<{ readonly Page: ComponentType }>;
}
