/** The schema versions of this release. */
export interface ReleaseSchemas {
  /** What it serves, inclusive. */
  readonly oldest: number;
  readonly newest: number;
  /** What it makes. */
  readonly current: number;
}
