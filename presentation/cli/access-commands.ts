import { InvalidArgumentError, type Command } from 'commander';
import type { IssuedToken } from '../../application/ports/identity/tokens.ts';
import { EMAIL_PATTERN, MAX_EMAIL_LENGTH } from '../../domain/identity/email.ts';
import { UserAlreadyExistsError } from '../../domain/identity/errors.ts';
import { passwordProblem } from '../../domain/identity/password-rule.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { examples, type CommandContext } from './command-context.ts';

/** What the commands on the way in act on. */
export interface AccessCommandDependencies {
  /** Returns false when a user of that email exists: that one is left as is. */
  createAdministrator(email: string, password: string): Promise<boolean>;
  /** Returns a token of a platform administrator who is no user. The audit trail has it. */
  grantOperatorToken(): Promise<IssuedToken>;
}

interface AccessContext extends CommandContext<AccessCommandDependencies> {
  /** Never an argument: other users of the machine see those. */
  readonly readPassword: () => Promise<string>;
}

/** Adds the commands that let a person in, with the rights of whoever holds the service's secrets. */
export const addAccessCommands = (program: Command, { open, print, readPassword }: AccessContext): void => {
  program
    .command('users')
    .description('the people who use the service')
    .command('create-admin')
    .description('make a platform administrator; asks for the password, or reads it from standard input')
    .addHelpText('after', examples('mad users create-admin --email you@example.org'))
    .requiredOption('--email <email>', 'whom', email)
    .action(async ({ email: address }: { email: string }) => {
      const password = await readPassword();
      const problem = passwordProblem(password);
      if (problem !== null) throw new ValidationError([{ path: 'The password', message: problem }]);
      const deps = await open();
      if (!(await deps.createAdministrator(address, password))) throw new UserAlreadyExistsError();
      print(`${address} is a platform administrator, and logs in at /console, or by POST /auth/token.`);
    });
  program
    .command('token')
    .description(
      "print an operator's token, for an hour (JWT_ACCESS_TTL_SECONDS) and whatever a platform administrator may do",
    )
    .option('--json', 'one JSON document', false)
    .action(async ({ json }: { json: boolean }) => {
      const deps = await open();
      const { accessToken, expiresInSeconds } = await deps.grantOperatorToken();
      const document = { access_token: accessToken, token_type: 'bearer', expires_in: expiresInSeconds };
      print(json ? JSON.stringify(document, null, 2) : accessToken);
    });
};

const email = (text: string): string => {
  if (text.length <= MAX_EMAIL_LENGTH && EMAIL_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('It takes an e-mail address.');
};
