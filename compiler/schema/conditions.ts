import type { Json } from '../plan.ts';

/**
 * What some settings of a stage are: each key has this value, is there (`true`) or is not there (`null`). A list of them holds if one of them does. They say
 * in a schema which outputs a stage writes (`stage.writes`), and which settings change nothing (`usual`).
 */
export type Condition = Readonly<Record<string, string | number | true | null>>;

/** Whether one of these holds. Of values that are not evaluated yet (`isPending`) it is undefined if that depends on them. */
export function holds(
  conditions: readonly Condition[],
  settings: Readonly<Record<string, unknown>>,
  isPending: (value: unknown) => boolean = () => false,
): boolean | undefined {
  const found = conditions.map((condition) => {
    const members = Object.entries(condition).map(([key, wanted]) => {
      const value = settings[key];
      // What is pending may turn out as null, with which a key is not there.
      if (isPending(value)) return undefined;
      if (value === undefined || wanted === null) return (value === undefined) === (wanted === null);
      return wanted === true || value === wanted;
    });
    return members.includes(false) ? false : members.includes(undefined) ? undefined : true;
  });
  return found.includes(true) ? true : found.includes(undefined) ? undefined : false;
}

/** These in words: "`onto`", "`keep: trajectory`, or no `keep`, `onto` and `sketch`". */
export function inWords(conditions: readonly Condition[]): string {
  const code = (text: string) => `\`${text}\``;
  const words = conditions.map((condition) => {
    const members = Object.entries(condition);
    const absent = members.flatMap(([key, wanted]) => (wanted === null ? [code(key)] : []));
    const there = members.flatMap(([key, wanted]) =>
      wanted === null ? [] : [code(wanted === true ? key : `${key}: ${wanted}`)],
    );
    return [...there, ...(absent.length === 0 ? [] : [`no ${listOf(absent)}`])].join(' and ');
  });
  return words.join(', or ');
}

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Takes away settings that only say what would be without them, so that equal settings look equal. */
export function dropUsual(
  usual: Readonly<Record<string, readonly Condition[]>>,
  settings: Record<string, Json>,
): void {
  for (const [key, conditions] of Object.entries(usual))
    if (holds(conditions, settings) === true) delete settings[key];
}
