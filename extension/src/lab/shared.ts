// JupyterLab's own modules, as its share scope hands them to a prebuilt extension. There is one of each on the page: a
// bundled copy would have other tokens, and nothing would be found by them.

interface Offer {
  get(): Promise<() => unknown>;
  loaded?: boolean | number;
}
export type Scope = Record<string, Record<string, Offer> | undefined>;

export const NAMES = [
  "@jupyterlab/application",
  "@jupyterlab/apputils",
  "@jupyterlab/notebook",
  "@jupyterlab/services",
  "@jupyterlab/settingregistry",
  "@jupyterlab/ui-components",
  "@lumino/widgets",
];

const modules = new Map<string, unknown>();

/** Fetches every module, so that what is imported afterwards finds it. */
export async function fetchShared(scope: Scope): Promise<void> {
  await Promise.all(
    NAMES.map(async (name) => {
      const offers = Object.values(scope[name] ?? {});
      const offer = offers.find((each) => each.loaded) ?? offers[0];
      if (!offer) throw new Error(`Pressmark's panel needs ${name}, which this JupyterLab does not offer`);
      modules.set(name, (await offer.get())());
    }),
  );
}

/** What an import of the module stands for; build.mjs points the imports here. */
export function shared(name: string): unknown {
  if (!modules.has(name)) throw new Error(`${name} was not fetched: add it to NAMES in shared.ts`);
  return modules.get(name);
}
