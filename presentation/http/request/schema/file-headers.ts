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

/** RFC 8187, and as clients write it that leave brackets and quotes as they are. */
const ENCODED_NAME = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i;

const nameIn = (header: string): string | undefined => {
  // Of the two, `filename*` counts (RFC 6266, 4.3).
  const encoded = ENCODED_NAME.exec(header)?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  const { filename } = contentDisposition.parse(header).parameters;
  return typeof filename === 'string' ? asUtf8(filename) : undefined;
};

const disposition = z
  .string()
  .max(8000)
  .transform((header, context): string | null => {
    const { data, error } = fileLabel.optional().safeParse(fallible(() => nameIn(header)));
    if (error === undefined) return data ?? null;
    context.addIssue(error.issues[0]?.message ?? 'is not usable');
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
const SHA256_MEMBER = /(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):\s*(?=,|;|$)/;

const digest = z
  .string()
  .regex(SHA256_MEMBER, 'must be "sha-256=:", 44 characters of base64, and ":"')
  .transform((header) => Buffer.from(SHA256_MEMBER.exec(header)?.[1] ?? '', 'base64').toString('hex'))
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
