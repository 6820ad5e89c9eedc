import { InvalidArgumentError } from 'commander';
import {
  labelProblems,
  MAX_DATABASES,
  MAX_WEIGHT,
  parseServerId,
  serverIdProblem,
  type ServerId,
  type ServerLabels,
} from '../../domain/databases/server.ts';

/** On a command line: no limit, or no label. */
export const NONE = 'none';

export const serverName = (text: string): ServerId => {
  const problem = serverIdProblem(text);
  if (problem !== null) throw new InvalidArgumentError(`The name of a server ${problem}.`);
  return parseServerId(text);
};

export const weight = (text: string): number => numberWithin(text, 1, MAX_WEIGHT);

/** Commander takes null for an empty text. */
export const maxDatabases = (text: string): number | typeof NONE =>
  text === NONE ? NONE : numberWithin(text, 0, MAX_DATABASES);

/** Adds `name=value` to the labels that were given before; `none` stands for no label at all. */
export const label = (text: string, before: ServerLabels = {}): ServerLabels => {
  if (text === NONE) return before;
  const [, name, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(`It takes name=value, or ${NONE}.`);
  const labels = { ...before, [name]: value };
  const [problem] = labelProblems(labels);
  if (problem !== undefined) throw new InvalidArgumentError(`The label ${problem.message}.`);
  return labels;
};

const numberWithin = (text: string, min: number, max: number): number => {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`);
};
