import type { ChangeFeed, ChangeSubscriber } from '../../../application/ports/runtime/change-feed.ts';

/** A feed of changes that reports what a test says, to one subscriber. */
export class FakeFeed implements ChangeFeed {
  isCurrent = true;
  isBehind = false;
  subscriber: ChangeSubscriber | null = null;

  subscribe(subscriber: ChangeSubscriber): () => void {
    this.subscriber = subscriber;
    return () => {
      this.subscriber = null;
    };
  }
}
