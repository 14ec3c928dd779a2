import { describe, expect, test } from "vitest";
import { visibleBytes, visibleText } from "../../src/inspector/visible-text.ts";

const encode = (text: string) => new TextEncoder().encode(text);

describe("text from other people", () => {
  test("plain text, accents, emoji and their joiners are left alone", () => {
    const text = "Zürich, Köln – 東京 👩‍🚀 می‌خواهم";
    expect(visibleText(text, 100)).toBe(text);
  });

  test("control characters become their pictures", () => {
    expect(visibleText("a\u0000b\n\tc\u001b[31m\u007f", 100)).toBe("a␀b␊␉c␛[31m␡");
  });

  test.each(["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\u2028", "\u0085", "\ud800"])(
    "a character that hides or reorders others is spelled out: %j",
    (character) => {
      const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
      expect(visibleText(`invoice${character}fdp.exe`, 100)).toBe(`invoice⟨U+${code}⟩fdp.exe`);
    },
  );

  test("characters beyond the basic plane that show nothing are spelled out too", () => {
    expect(visibleText("a\u{e0041}b", 100)).toBe("a⟨U+E0041⟩b");
  });

  test("long text is cut and its length told, never through a pair of surrogates", () => {
    expect(visibleText("x".repeat(5000), 10)).toBe(`${"x".repeat(10)}… (5,000 characters)`);
    expect(visibleText("123456789😀tail", 10)).toBe("123456789… (15 characters)");
  });
});

describe("bytes of records", () => {
  test("UTF-8 is read, null is named", () => {
    expect(visibleBytes(encode("naïve ✓"), 100)).toBe("naïve ✓");
    expect(visibleBytes(null, 100)).toBe("null");
    expect(visibleBytes(new Uint8Array(), 100)).toBe("");
  });

  test("what is not UTF-8 is shown in hexadecimal, cut to what can be read", () => {
    expect(visibleBytes(new Uint8Array([0xff, 0, 0x41]), 30)).toBe("ff 00 41");
    expect(visibleBytes(new Uint8Array(1000).fill(0xff), 9)).toBe("ff ff ff … (1,000 bytes)");
  });

  test("of ten megabytes only the beginning is decoded", () => {
    const value = encode("é".repeat(5_000_000));
    const startMs = performance.now();
    expect(visibleBytes(value, 5)).toBe("ééééé… (10,000,000 bytes)");
    expect(performance.now() - startMs).toBeLessThan(50);
  });

  test("a character cut by the decoded prefix does not turn text into bytes", () => {
    for (let shift = 0; shift < 4; shift++) {
      const text = visibleBytes(encode("x".repeat(shift) + "😀".repeat(100)), 8);
      expect(text).toMatch(/^x*😀+… \(\d+ bytes\)$/u);
    }
  });
});
