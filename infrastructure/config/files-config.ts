import { fileURLToPath } from 'node:url';
import type { EnvironmentReader } from './environment-reader.ts';
import { isPlainUrl } from './tracing-config.ts';

/** In the working directory, beside the data of an embedded server. */
const DEFAULT_FOLDER = '.data/files';

export type FilesPlace =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string;
      /** Null: as the SDK's own variables say. */
      readonly region: string | null;
      readonly endpoint: string | null;
      readonly forcePathStyle: boolean;
    };

export interface FilesConfig {
  readonly place: FilesPlace;
  readonly maxFileBytes: number;
  readonly stallMs: number;
  readonly deadlineMs: number;
  /** Of all files of one organization. */
  readonly organizationBytes: number;
}

export const readFilesConfig = (reader: EnvironmentReader): FilesConfig => {
  const url = reader.address('FILES_URL', (text) => placeOf(text) !== null);
  return {
    place: (url === null ? null : placeOf(url)) ?? { kind: 'folder', folder: DEFAULT_FOLDER },
    maxFileBytes: reader.integer('FILES_MAX_BYTES'),
    stallMs: reader.integer('FILES_STALL_MS'),
    deadlineMs: reader.integer('FILES_DEADLINE_MS'),
    organizationBytes: reader.integer('ORG_FILES_BYTES'),
  };
};

/** Null for a text that names no place, or says more than this service reads of it: somebody meant something by it. */
const placeOf = (text: string): FilesPlace | null => {
  try {
    const url = new URL(text);
    if (url.hash !== '') return null;
    if (url.protocol === 'file:')
      return url.search === '' ? { kind: 'folder', folder: fileURLToPath(url) } : null;
    return url.protocol === 's3:' ? s3Place(url) : null;
  } catch {
    return null;
  }
};

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PARAMETERS: Readonly<Record<string, (value: string) => boolean>> = {
  region: (value) => /^[\w-]+$/.test(value),
  endpoint: isPlainUrl,
  path_style: (value) => /^(?:true|false)$/.test(value),
};

/** Credentials come by the SDK's own ways: an address that is logged must hold none. */
const s3Place = ({ host: bucket, pathname, searchParams, username, password }: URL): FilesPlace | null => {
  const given = [...searchParams];
  const isKnown = given.every(([name, value]) => PARAMETERS[name]?.(value) === true);
  const isOnce = new Set(searchParams.keys()).size === given.length;
  if (!BUCKET.test(bucket) || !isKnown || !isOnce || username !== '' || password !== '') return null;
  return {
    kind: 's3',
    bucket,
    prefix: decodeURIComponent(pathname).replaceAll(/^\/+|\/+$/g, ''),
    region: searchParams.get('region'),
    endpoint: searchParams.get('endpoint'),
    forcePathStyle: searchParams.get('path_style') === 'true',
  };
};
