import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import { BrowserProfile } from "../cluster/browser-profile.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** As in the README: whoever follows it type-checks this, with the checks of libraries on. */
const APPLICATION = `
import { Kafka } from "tabstream";
import type { BrokerTab, EachMessagePayload } from "tabstream";

const kafka = new Kafka({ brokers: ["ws://localhost:8080"], clientId: "shop" });
export const broker: Promise<BrokerTab> = kafka.broker();
await kafka.consumer({ groupId: "billing" }).run({
  eachMessage: async ({ message }: EachMessagePayload) => console.log(message.offset),
});
// @ts-expect-error A topic's name is a string.
await kafka.producer().send({ topic: 1, messages: [] });
`;

const COMPILER_OPTIONS = {
  target: "ES2023",
  lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  strict: true,
  noEmit: true,
  types: [],
};

let folder: string;
let installed: string;

test.beforeAll(async () => {
  folder = await makeTemporaryFolder("package");
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  await run("tar", ["-xzf", join(folder, stdout.trim().split("\n").at(-1)!), "-C", modules]);
  installed = join(modules, "tabstream");
  await run("mv", [join(modules, "package"), installed]);
  const { dependencies } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as Manifest;
  for (const name of Object.keys(dependencies)) {
    await mkdir(join(modules, name, ".."), { recursive: true });
    await symlink(join(root, "node_modules", name), join(modules, name));
  }
});

test.afterAll(async () => await removeTemporaryFolder(folder));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

test("a browser runs the README's first example with the package as it is, without a bundler", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const pages = join(installed, "dist/sdk");
  const dataDir = join(folder, "data");
  await writeFile(join(pages, "application.html"), '<script type="module" src="application.js"></script>');
  const script = example.replace('"tabstream"', '"./index.js"');
  const address = 'location.origin.replace("http", "ws")';
  await writeFile(join(pages, "application.js"), script.replace('"ws://localhost:8080"', address));
  const server = await ServerProcess.start({ port: 0, dataDir, staticRoot: pages });
  const profile = await BrowserProfile.launch({ flags: [] });
  try {
    const page = await profile.newPage();
    const said = page.waitForEvent("console", { predicate: (message) => message.text().startsWith("42: ") });
    const failed = page.waitForEvent("pageerror").then((error) => Promise.reject(error));
    await page.goto(`${server.url}/application.html`);
    expect((await Promise.race([said, failed])).text()).toBe("42: two apples");
  } finally {
    await profile.close();
    await server.stop();
  }
});

test("an application type-checks against the package", async () => {
  await writeFile(join(folder, "application.ts"), APPLICATION);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const [module, moduleResolution] of [["ESNext", "Bundler"], ["NodeNext", "NodeNext"]]) {
    const compilerOptions = { ...COMPILER_OPTIONS, module, moduleResolution };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["application.ts"] }));
    const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", folder]).catch((error) => error as { stdout: string });
    expect(stdout).toBe("");
  }
});

test("the package brings the server along as a command", async () => {
  const { stdout } = await run(process.execPath, [join(installed, "signaling-server/tabstream.mjs"), "--help"], { cwd: folder });
  expect(stdout).toContain("--kafka-port");
});
