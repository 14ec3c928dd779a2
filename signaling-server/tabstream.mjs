#!/usr/bin/env node
// Node 20 runs no TypeScript, and later ones run none that lies in node_modules.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
