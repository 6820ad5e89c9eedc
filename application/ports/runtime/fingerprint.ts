/** Writes canonical JSON (RFC 8785), and hashes it. Large values are written once for several hashes. */
export interface CanonicalJson {
  textOf(value: unknown): string;
  /** SHA-256 in lower-case hex. */
  hashOf(text: string): string;
}

/** The SHA-256 of the canonical JSON (RFC 8785) of `value`, in lower-case hex. The order of keys does not matter. */
export type Fingerprint = (value: unknown) => string;
