import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/**
 * The classes that Node is to make this app's requests and responses of. Express gives every message that it is handed
 * its own prototype, and V8 then looks the properties of each such object up by name. Messages made of these have that
 * prototype from the start, and Express leaves them alone. Call it once an app.
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
