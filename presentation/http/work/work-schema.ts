import { z } from 'zod';
import { count, limitOf, listOf, slug, timestamp } from '../request/schema/fields.ts';

const MAX_ENGINES = 20;

const engines = z
  .string()
  .transform((list) => list.split(','))
  .pipe(z.array(slug(64)).max(MAX_ENGINES))
  .optional()
  .meta({
    override: { type: 'string', minLength: 1 },
    description: 'Names of engines, with commas between them; left out: any engine',
    example: 'vina,smina',
  });

export const findWorkRequest = {
  query: z.strictObject({
    engines,
    limit: limitOf(20).meta({
      description:
        'As many organizations as the caller can work for now: others are not given these for a moment',
    }),
  }),
};

const hint = z.strictObject({
  org_id: z.string(),
  engine: z.string(),
  waiting: count.meta({ description: 'About how many jobs wait' }),
  oldest_at: timestamp.nullable().meta({ description: 'When the first of them came, or earlier' }),
  hint_version: z.int().meta({ description: 'To be sent with `POST /jobs/claim`' }),
});
export const workReply = listOf(hint)
  .extend({ retry_after_seconds: count.meta({ description: 'When asking again makes sense; 0: at once' }) })
  .meta({ id: 'Work' });
