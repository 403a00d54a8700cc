import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ManagementApi, startManagementApi, type Upload } from "./management-api.ts";
import { type Run, supabase } from "./supabase-cli.ts";

/** What `functions deploy` reads; the CLI notes the project it is linked to below supabase/, so it gets a copy. */
const deployed = ["functions", "shared", "deno.json", "supabase/config.toml"];

/** A project that was deployed to the stand-in, with everything the run said. */
export interface Deployment {
  run: Run;
  /** By slug. */
  uploads: Upload[];
  api: ManagementApi;
  /** Folder for whatever the test wants to write; gone after `remove`. */
  scratch: string;
  remove(): Promise<void>;
}

/** Deploys every function below `root` with the real CLI; the folder itself is only read. */
export async function deploy(root: string): Promise<Deployment> {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-deploy-")));
  const project = join(scratch, "project");
  mkdirSync(join(project, "supabase"), { recursive: true });
  for (const path of deployed.filter((each) => existsSync(join(root, each)))) {
    cpSync(join(root, path), join(project, path), { recursive: true });
  }
  const api = await startManagementApi();
  const run = await supabase(api, project, join(scratch, "home"), ["functions", "deploy", "--use-api"]);
  const remove = async () => {
    await api.close();
    rmSync(scratch, { recursive: true, force: true });
  };
  const uploads = [...api.uploads.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  return { run, uploads, api, scratch, remove };
}

/** Paths of an upload, sorted. */
export function paths({ files }: Upload): string[] {
  return [...files.keys()].sort();
}

/** Bytes over all uploads; a file two functions share counts twice, as it is sent twice. */
export function totalBytes(uploads: Upload[]): number {
  return uploads.flatMap(({ files }) => [...files.values()]).reduce(
    (sum, bytes) => sum + bytes.byteLength,
    0,
  );
}

/**
 * Writes what was uploaded, and nothing else of ours, into a clean folder, with a config.toml made from the
 * metadata that came along. The packages deno.json pins are linked in, as the platform would download them.
 */
export function unpack(
  { uploads, scratch }: Pick<Deployment, "uploads" | "scratch">,
  nodeModules: string,
): string {
  const folder = join(scratch, "unpacked");
  mkdirSync(join(folder, "supabase"), { recursive: true });
  for (const [path, bytes] of uploads.flatMap(({ files }) => [...files])) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  const blocks = uploads.map(({ slug, metadata: { entrypoint_path, verify_jwt } }) =>
    `[functions.${slug}]\nverify_jwt = ${verify_jwt}\nentrypoint = "../${entrypoint_path}"\n`
  );
  writeFileSync(join(folder, "supabase/config.toml"), blocks.join("\n"));
  symlinkSync(nodeModules, join(folder, "node_modules"), "dir");
  return folder;
}
