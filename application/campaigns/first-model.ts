import type { Bytes } from '../ports/files/file-store.ts';

/** No pose of a ligand is as long. */
const MAX_MODEL_BYTES = 1024 * 1024;

/** The lines of a pose; or why there are none. */
export type FirstModel = { readonly lines: readonly string[] } | { readonly problem: string };

/**
 * Reads a PDBQT file as far as its first model ends, which is the best one where an engine has written it. A file without
 * models is one itself.
 *
 * @returns the lines between `MODEL` and `ENDMDL` without blank ones: programs take a blank line for the end of all
 */
export const readFirstModel = async (bytes: Bytes): Promise<FirstModel> => {
  const decoder = new TextDecoder();
  let lines: string[] = [];
  let rest = '';
  let size = 0;
  const isEnd = (line: string): boolean => {
    if (/^MODEL\b/.test(line)) lines = [];
    else if (/^ENDMDL\b/.test(line)) return true;
    else if (line.trim() !== '') lines.push(line);
    return false;
  };
  for await (const chunk of bytes) {
    size += chunk.length;
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = parts.pop() ?? '';
    if (parts.some(isEnd)) return modelOf(lines);
    if (size > MAX_MODEL_BYTES) return { problem: `its first pose has more than ${MAX_MODEL_BYTES} bytes` };
  }
  isEnd(rest + decoder.decode());
  return modelOf(lines);
};

const modelOf = (lines: readonly string[]): FirstModel =>
  lines.some((line) => /^(?:ATOM|HETATM)\b/.test(line)) ? { lines } : { problem: 'its file holds no pose' };
