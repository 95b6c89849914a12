import { InputError } from '../../artifacts/errors.ts';
import { isName } from '../../artifacts/store/names.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { resolveStudyId } from '../checks/study-records.ts';

/**
 * The id of the study that is to be deleted or pinned: an id, or the beginning of just one, also of a study of which records are missing. Throws {@link InputError} otherwise: nothing
 * that cannot be taken back is done to a study that was not meant.
 */
export async function chooseStudyId(store: Store, wanted: string): Promise<string> {
  if (wanted === '') throw new InputError('The name is empty.', '`epochal list` shows all studies.');
  const ids = (await store.listFolder('studies')).filter((id) => isName('study id', id));
  const found = ids.includes(wanted) ? [wanted] : ids.filter((id) => id.startsWith(wanted));
  if (found.length > 1)
    throw new InputError(
      `${wanted} is the beginning of ${found.length} studies: ${found.slice(0, 5).join(', ')}${found.length > 5 ? ', ...' : ''}.`,
      'Give the whole id of one.',
    );
  return found[0] ?? resolveStudyId(store, wanted);
}
