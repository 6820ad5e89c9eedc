import { ContainerModule } from 'inversify';
import { LazyFileStore } from '../../adapters/file-store/lazy-file-store.ts';
import { LocalFileStore } from '../../adapters/file-store/local-file-store.ts';
import type { FileStore } from '../../application/ports/files/file-store.ts';
import type { FilesPlace } from '../config/files-config.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const filesModule = new ContainerModule(({ bind }) => {
  bindSingleton(bind, TOKENS.fileStore, { config: TOKENS.config }, ({ config }) =>
    storeAt(config.files.place),
  );
});

/** The SDK for S3 takes a third of a second to load, so only a start that uses it does. */
const storeAt = (place: FilesPlace): FileStore => {
  if (place.kind === 'folder') return new LocalFileStore(place.folder);
  const { bucket, prefix, region, endpoint, forcePathStyle } = place;
  const client = {
    ...(region !== null && { region }),
    ...(endpoint !== null && { endpoint }),
    ...(forcePathStyle && { forcePathStyle }),
  };
  return new LazyFileStore(async () => {
    const { S3FileStore } = await import('../../adapters/file-store/s3-file-store.ts');
    return new S3FileStore({ bucket, prefix, client });
  });
};
