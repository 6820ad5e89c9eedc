import { z } from 'zod';
import { SETTING_SOURCES } from '../../../application/ports/operators/effective-setting.ts';
import { listOf } from '../request/schema/fields.ts';

const setting = z
  .strictObject({
    name: z.string(),
    section: z.string(),
    means: z.string(),
    value: z
      .string()
      .nullable()
      .meta({ description: 'null: none. Secrets, and passwords within URLs, are `***`' }),
    secret: z.boolean(),
    source: z.enum(SETTING_SOURCES).meta({
      description:
        '`file`: a line of `.env`. `start`: set by the start for the server that it brings along. `default`: not set',
    }),
  })
  .meta({ id: 'EffectiveSetting' });
export const configurationReply = listOf(setting)
  .extend({
    instance_id: z.string().meta({ description: 'The process that answers: another one may have others' }),
    version: z.string(),
  })
  .meta({ id: 'EffectiveConfiguration' });
export type SettingReply = z.output<typeof setting>;
