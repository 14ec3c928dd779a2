import type { Report } from "./figure.ts";
export function reportPage(report: Report): string { return JSON.stringify(report); }
