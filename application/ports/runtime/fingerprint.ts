/** Lower-case hex SHA-256 of the RFC 8785 canonical JSON of `value`: the order of keys never matters. */
export type Fingerprint = (value: unknown) => string;
