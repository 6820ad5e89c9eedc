import { DomainError } from '../exceptions.ts';

/** Raised when a request does not prove who sent it. The message is the same for every cause. */
export class UnauthenticatedError extends DomainError {
  readonly code = 'unauthenticated';

  constructor(message = 'A valid bearer token is required.', cause?: unknown) {
    super(message, { cause });
  }
}

/** Raised when a password is right, but its user has to choose another one before anything else. */
export class PasswordChangeRequiredError extends DomainError {
  readonly code = 'password_change_required';

  constructor() {
    super('The password has to be changed: log in with "new_password" beside it.');
  }
}

/** Raised when a password is right, and the login does not say for which of the user's organizations it is. */
export class OrganizationChoiceRequiredError extends DomainError {
  readonly code = 'organization_choice_required';
  /** All of the user's own. */
  readonly organizations: readonly string[];

  constructor(organizations: readonly string[]) {
    super('You belong to several organizations: log in with the "org_id" of one of them.');
    this.organizations = organizations;
  }
}

/** Raised when an account, an address or a session has tried too often. No password was compared. */
export class TooManyAttemptsError extends DomainError {
  readonly code = 'too_many_attempts';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('Too many attempts. Try again later.');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Raised when path, header and claim name different organizations. Does not tell whether the organization exists. */
export class OrganizationAccessDeniedError extends DomainError {
  readonly code = 'organization_access_denied';

  constructor() {
    super('This token gives no access to the organization asked for.');
  }
}

/** Raised when the caller belongs to the organization and has none of the roles that the operation needs. */
export class RoleRequiredError extends DomainError {
  readonly code = 'role_required';

  constructor(roles: readonly string[]) {
    super(`This operation needs one of these roles: ${roles.join(', ')}.`, {
      details: { roles: roles.join(',') },
    });
  }
}

/** Raised when something that cannot be taken back is asked for in a browser, and the password was given too long ago. */
export class ConfirmationRequiredError extends DomainError {
  readonly code = 'confirmation_required';

  constructor() {
    super('This needs the password again: POST /console/session/confirm gives a token for it.');
  }
}

/** Raised when the user has no session of that id that is not over. */
export class SessionNotFoundError extends DomainError {
  readonly code = 'session_not_found';

  constructor() {
    super('The user has no such session, or it is over.');
  }
}

/** Raised when no user has that id. */
export class UserNotFoundError extends DomainError {
  readonly code = 'user_not_found';

  constructor() {
    super('There is no such user.');
  }
}

/** Raised when a user of that email exists already; nothing is written. */
export class UserAlreadyExistsError extends DomainError {
  readonly code = 'user_already_exists';

  constructor() {
    super('A user of this email exists already.');
  }
}

/** Raised when administrators try to disable or demote themselves. */
export class OwnAccountProtectedError extends DomainError {
  readonly code = 'own_account_protected';

  constructor() {
    super('Administrators neither disable nor demote themselves: another one has to.');
  }
}

/** Raised when the user is not a member of the organization. */
export class MemberNotFoundError extends DomainError {
  readonly code = 'member_not_found';

  constructor() {
    super('The organization has no such member.');
  }
}

/** Raised when the user is a member of the organization already; nothing is written. */
export class MemberAlreadyExistsError extends DomainError {
  readonly code = 'member_already_exists';

  constructor() {
    super('The user is a member of the organization already.');
  }
}

/** Raised when the organization has not invited the caller, or has taken the invitation back. */
export class InvitationNotFoundError extends DomainError {
  readonly code = 'invitation_not_found';

  constructor() {
    super('There is no such invitation.');
  }
}

/** Raised when the user has no identity of that id. */
export class IdentityNotFoundError extends DomainError {
  readonly code = 'identity_not_found';

  constructor() {
    super('The user has no such identity.');
  }
}

/** Raised when an issuer's subject is linked to a user already. Does not tell to which one. */
export class IdentityAlreadyLinkedError extends DomainError {
  readonly code = 'identity_already_linked';

  constructor() {
    super('This identity is linked already.');
  }
}

/** Raised when the organization, or the platform, has no service account of that id. */
export class ServiceAccountNotFoundError extends DomainError {
  readonly code = 'service_account_not_found';

  constructor() {
    super('There is no such service account.');
  }
}

/** Raised when the service account has no key of that id. */
export class ServiceAccountKeyNotFoundError extends DomainError {
  readonly code = 'service_account_key_not_found';

  constructor() {
    super('The service account has no such key.');
  }
}
