import { useId, useState, type DragEvent, type ReactNode } from 'react';
import { useUpload, type StoredFile } from './use-upload.ts';
import './files.css';

interface FileDropProps {
  readonly label: string;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly onStored: (file: StoredFile) => void;
}

/** Takes files by dropping or by choosing, and sends them at once. */
export const FileDrop = ({ label, accept, multiple = false, onStored }: FileDropProps): ReactNode => {
  const { count, done, share, refused, upload, cancel } = useUpload(onStored);
  const [over, setOver] = useState(false);
  const id = useId();
  const take = (files: FileList | null): void => {
    const given = Array.from(files ?? []);
    if (given.length > 0) void upload(multiple ? given : given.slice(0, 1));
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <div className="stack">
      {/* Dropping is a second way; the field in it is the first. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <label
        className={over ? 'drop over' : 'drop'}
        htmlFor={id}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <span>{label}</span>
        <input
          id={id}
          type="file"
          accept={accept}
          multiple={multiple}
          disabled={count > 0}
          onChange={({ target }) => {
            take(target.files);
            target.value = '';
          }}
        />
      </label>
      {count > 0 && (
        <p className="row">
          <meter min={0} max={1} value={(done + share) / count} aria-label="How much is sent" />
          <span role="status">Sending {count === 1 ? 'the file' : `file ${done + 1} of ${count}`}…</span>
          <button type="button" onClick={cancel}>
            Stop sending
          </button>
        </p>
      )}
      {refused.map(({ name, why }) => (
        <p key={name} className="notice" role="alert">
          <strong>{name}</strong> was not taken: {why}
        </p>
      ))}
    </div>
  );
};
