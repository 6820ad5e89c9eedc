import contentDisposition from 'content-disposition';
import { z } from 'zod';
import { DEFAULT_MEDIA_TYPE, MAX_FILE_NAME_LENGTH } from '../../../../domain/files/stored-file.ts';
import { mediaType, printable } from './fields.ts';

/** What people call a file. It is no part of any path. */
export const fileLabel = printable(MAX_FILE_NAME_LENGTH);

/** Node gives bytes of a header as Latin-1; many clients send names as UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true });
const asUtf8 = (text: string): string => {
  try {
    return utf8.decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
};

const QUOTED = /"(?:\\.|[^"\\])*"/g;

/** RFC 8187, and as clients write it that leave brackets and quotes as they are. */
const ENCODED_NAME = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i;

const nameIn = (header: string): string | undefined => {
  // Of the two, `filename*` counts (RFC 6266, 4.3).
  const encoded = ENCODED_NAME.exec(header.replaceAll(QUOTED, '""'))?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  const { filename } = contentDisposition.parse(header).parameters;
  return typeof filename === 'string' ? asUtf8(filename) : undefined;
};

const disposition = z
  .string()
  .max(8000)
  .transform((header, context): string | null => {
    const name = fallible(() => nameIn(header));
    const { data, error } = fileLabel.optional().safeParse(name);
    if (error === undefined) return data ?? null;
    context.addIssue(name === null ? 'cannot be read' : (error.issues[0]?.message ?? 'is not usable'));
    return z.NEVER;
  })
  .optional()
  .transform((found) => found ?? null)
  .meta({
    override: { type: 'string', pattern: undefined },
    description: "The file's name, such as `attachment; filename*=UTF-8''1iep_receptor.pdbqt`",
  });

/** A value that no schema takes, where a header cannot be read. */
const fallible = (read: () => string | undefined): unknown => {
  try {
    return read();
  } catch {
    return null;
  }
};

/** RFC 9530: a dictionary of algorithms, of which this service knows one. */
const SHA256_MEMBER = /(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):\s*(?=,|;|$)/g;

const digest = z
  .string()
  .transform((header, context): string => {
    const named = new Set(Array.from(header.matchAll(SHA256_MEMBER), ([, value = '']) => value));
    const [value] = named;
    if (value !== undefined && named.size === 1) return Buffer.from(value, 'base64').toString('hex');
    context.addIssue('must be one "sha-256=:", 44 characters of base64, and ":"');
    return z.NEVER;
  })
  .optional()
  .transform((found) => found ?? null)
  .meta({
    override: { type: 'string' },
    description: 'The SHA-256 of the body (RFC 9530): other bytes are refused',
  });

export const fileHeaders = z.object({
  'Content-Type': mediaType.default(DEFAULT_MEDIA_TYPE),
  'Content-Disposition': disposition,
  'Content-Digest': digest,
});

export const formPart = z.object({
  name: fileLabel.optional().transform((found) => found ?? null),
  mediaType,
});
