/** A function of serverless.yml, for serverless-esbuild. */
interface FunctionOf {
  func: object;
  functionAlias: string;
}

/** serverless-esbuild's plugin, as far as it is used here. */
export interface Bundler {
  /** By the file of each handler. */
  readonly functionEntries: (FunctionOf & { entry: string })[];
  readonly buildDirPath: string;
  prepare(): void;
  /** Called before it zips or runs functions, and by its watcher when a file was saved. */
  bundle(): Promise<unknown>;
  /** What it zips. */
  buildResults: (FunctionOf & { bundlePath: string })[];
  /** Called by its watcher when that is built. */
  notifyServerlessOffline(): void;
}

/** Has serverless-esbuild build all functions in one call of `build`, where it has one of esbuild's for each; gives that plugin. */
export function bundleAtOnce(
  pluginManager: { getPlugins(): object[] },
  build: (outdir: string, entryPoints: string[]) => Promise<unknown>,
): Bundler {
  const isBundler = (plugin: object): plugin is Bundler => "functionEntries" in plugin && "bundle" in plugin;
  const bundler = pluginManager.getPlugins().find(isBundler);
  if (!bundler) throw new Error("serverless-esbuild has no functionEntries any more: see build/bundler.ts");
  bundler.bundle = async () => {
    bundler.prepare();
    const { functionEntries: entries, buildDirPath } = bundler;
    await build(buildDirPath, [...new Set(entries.map(({ entry }) => entry))]);
    bundler.buildResults = entries.map(({ entry, ...each }) => ({
      bundlePath: entry.replace(/\.\w+$/, ".mjs"),
      ...each,
    }));
  };
  return bundler;
}
