import { writeFileSync } from 'node:fs';
import { configurationPage, exampleFile } from './configuration-pages.ts';

writeFileSync('.env.example', exampleFile());
writeFileSync('docs/configuration.md', configurationPage());
