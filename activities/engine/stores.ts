import { activityInfo } from '@temporalio/activity';
import { RefusedError } from '../../artifacts/errors.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Store } from '../../artifacts/store/store.ts';

/**
 * The store at `uri`, opened once in this process: an open store remembers which artifacts it has verified. Throws {@link RefusedError} if this
 * worker was not started for it.
 */
export type OpenStores = (uri: string) => Promise<Store>;

/** @param serves Whether this worker was started for the store. */
export function createStores(serves: (uri: string) => Promise<boolean>): OpenStores {
  const opened = new Map<string, Promise<Store>>();
  return async (uri) => {
    if (!(await serves(uri))) {
      throw new RefusedError(
        `This worker was not started for the store ${uri}.`,
        'Name the store to `epochal worker` with --store, as to `epochal run`.',
      );
    }
    const store = opened.get(uri) ?? openStore(uri);
    opened.set(uri, store);
    store.catch(() => opened.delete(uri));
    return store;
  };
}

/** Throws {@link RefusedError} unless the activity that runs belongs to one of these workflows. */
export function mustBelongTo(...workflowIds: readonly string[]): void {
  const owner = activityInfo().workflowExecution?.workflowId ?? 'nobody';
  if (!workflowIds.includes(owner))
    throw new RefusedError(`${owner} must not act for ${workflowIds.join(' or ')}.`);
}
