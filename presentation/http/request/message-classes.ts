import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/**
 * The classes from which Node should make this app's requests and responses. Express changes the prototype of every
 * message, after which V8 looks up each property of the message by name. Messages of these classes have Express's
 * prototype from the start, so Express leaves them alone. Call it once for each app.
 */
export const messageClasses = (app: Express): MessageClasses => {
  class AppRequest extends IncomingMessage {}
  class AppResponse<Of extends IncomingMessage = IncomingMessage> extends ServerResponse<Of> {}
  // Express's prototypes inherit from Node's, so these classes' prototypes have all that theirs have.
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  // By the two lines before.
  app.request = AppRequest.prototype as Express['request'];
  // Likewise.
  app.response = AppResponse.prototype as unknown as Express['response'];
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
};
