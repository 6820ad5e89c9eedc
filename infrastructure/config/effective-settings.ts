import type { EffectiveSetting, SettingSource } from '../../application/ports/operators/effective-setting.ts';
import type { Environment } from './environment-reader.ts';
import { SECTIONS, type Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';

/** Says where the value of a variable comes from. */
export type SourceOf = (name: string, value: string) => SettingSource;

const MASK = '***';
const FAMILY = '<NAME>';

/** Every variable with its value in this environment. Secrets, and passwords within URLs, are masked. Pure. */
export const effectiveSettings = (
  environment: Environment,
  sourceOf: SourceOf,
): readonly EffectiveSetting[] =>
  Object.entries<Variable>(VARIABLES).flatMap(([name, variable]) => {
    if (variable.section === 'tests') return [];
    return namesOf(name, environment).map((own) => settingOf(own, variable, environment[own], sourceOf));
  });

/** The variables that a name of the table stands for: one for each server that has it set. */
const namesOf = (name: string, environment: Environment): readonly string[] => {
  if (!name.endsWith(FAMILY)) return [name];
  const prefix = name.slice(0, -FAMILY.length);
  return Object.keys(environment)
    .filter((own) => own.startsWith(prefix) && own.length > prefix.length && !(own in VARIABLES))
    .toSorted();
};

const settingOf = (
  name: string,
  variable: Variable,
  given: string | undefined,
  sourceOf: SourceOf,
): EffectiveSetting => {
  const isSecret = variable.kind === 'secret';
  const { fallback } = variable;
  const value = given ?? (fallback === null ? null : String(fallback));
  return {
    name,
    section: SECTIONS[variable.section],
    means: variable.means,
    value: value === null ? null : isSecret ? MASK : variable.kind === 'url' ? withoutPassword(value) : value,
    isSecret,
    source: given === undefined ? 'default' : sourceOf(name, given),
  };
};

/** Rather masks too much: a password may hold what separates the parts of a URL. */
const withoutPassword = (url: string): string =>
  url.replace(/(\/\/[^:@/?]*):.*@/s, `$1:${MASK}@`).replaceAll(/([?&][^=&]*pass[^=&]*=)[^&]*/gi, `$1${MASK}`);
