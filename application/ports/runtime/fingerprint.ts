/** The SHA-256 of the canonical JSON (RFC 8785) of `value`, in lower-case hex. The order of keys does not matter. */
export type Fingerprint = (value: unknown) => string;
