import { fetchIn } from '../api/client.ts';
import type { Context } from '../session.ts';

/** Has the browser save something under a name. */
export const save = (content: Blob, name: string): void => {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
};

export const saveText = (text: string, name: string): void => save(new Blob([text]), name);

/** Downloads what the API answers: a plain link could not send the token. @throws {ProblemError} */
export const saveFrom = async (context: Context, path: string, name: string): Promise<void> =>
  save(await (await fetchIn(context, path)).blob(), name);
