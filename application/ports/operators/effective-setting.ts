export const SETTING_SOURCES = ['environment', 'file', 'start', 'default'] as const;

/**
 * - `environment`: a variable of the process, or a file that one names.
 * - `file`: a line of `.env`.
 * - `start`: the start set it, for the server that it brings along.
 * - `default`: nobody did.
 */
export type SettingSource = (typeof SETTING_SOURCES)[number];

/** A variable of the configuration as this process has it. */
export interface EffectiveSetting {
  readonly name: string;
  readonly section: string;
  /** One sentence, without a full stop. */
  readonly means: string;
  /** As text; null when there is none. Of a secret it is not the value. */
  readonly value: string | null;
  readonly isSecret: boolean;
  readonly source: SettingSource;
}
