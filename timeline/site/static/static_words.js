// The words that a search finds: the same as in timeline/model/search_words.py, and held to the same
// test vectors. An excerpt is as in timeline/reading/excerpts.py.
"use strict";
self.timelineWords = (() => {
const DROPPED = /[\u0300-\u0344\u0346-\u074a\u07eb-\u08ff\u093c\u094d\u0951-\u0954\u09bc\u09cd\u09fe\u0a3c\u0a4d\u0abc\u0acd\u0b3c\u0b4d\u0bcd\u0c3c\u0c4d\u0cbc\u0ccd\u0d3b-\u0d3c\u0d4d\u0dca\u0e3a\u0e48-\u0e4b\u0eba\u0ec8-\u0ecb\u0f18-\u0f39\u0f82-\u0f87\u0fc6\u1037\u1039-\u103a\u108d\u135d-\u135f\u1714-\u1715\u1734\u17d2\u17dd-\u180f\u18a9\u1939-\u1a18\u1a60\u1a75-\u1ace\u1b34\u1b44-\u1b73\u1baa-\u1bab\u1be6\u1bf2-\u1bf3\u1c37-\u1ce0\u1ce2-\u1cf4\u1cf8-\u302f\ua66f-\ua6f1\ua806\ua82c\ua8c4\ua8e0-\ua8f1\ua92b-\ua92d\ua953\ua9b3\ua9c0\uaab0-\uaac1\uaaf6\uabed-\u{1037a}\u{10a0d}\u{10a0f}-\u{10f85}\u{11046}-\u{11070}\u{1107f}\u{110b9}-\u{110ba}\u{11100}-\u{11102}\u{11133}-\u{11134}\u{11173}\u{111c0}\u{111ca}\u{11235}-\u{11236}\u{112e9}-\u{112ea}\u{1133b}-\u{1133c}\u{1134d}\u{11366}-\u{11374}\u{11442}\u{11446}-\u{1145e}\u{114c2}-\u{114c3}\u{115bf}-\u{115c0}\u{1163f}\u{116b6}-\u{116b7}\u{1172b}\u{11839}-\u{1183a}\u{1193d}-\u{1193e}\u{11943}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d42}\u{11d44}-\u{11d45}\u{11d97}\u{16af0}-\u{16b36}\u{16ff0}-\u{16ff1}\u{1bc9e}\u{1d165}-\u{1d244}\u{1e000}-\u{e01ef}]/u;
const OF_WORDS = /[\p{L}\p{Mn}\p{Mc}\p{N}\p{Co}]/u;
const OWN = { ł: "l", ø: "o", đ: "d", ð: "d", ħ: "h", ŧ: "t", æ: "ae", œ: "oe", þ: "th", ə: "e" };
const UNSPACED = "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f\u1780-\u17d3\u17d7\u17dc\u17dd\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{1aff0}-\u{1b16f}\u{20000}-\u{3ffff}]";

const RUN = new RegExp(`${UNSPACED}+`, "gu");
const ENDS = new RegExp(`${UNSPACED}$`, "u");
const known = new Map();

function letter(character) {
  let found = known.get(character);
  if (found === undefined) {
    const parts = [...character.normalize("NFKD").toLowerCase().toUpperCase().toLowerCase()];
    found = parts.map((each) => (/\p{Cf}/u.test(each) || (/[\p{Mn}\p{Mc}]/u.test(each) && DROPPED.test(each)) ? "" : each < "\x80" || OF_WORDS.test(each) ? OWN[each] ?? each : " ")).join("");
    known.set(character, found);
  }
  return found;
}
const letters = (text) => /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : text.replace(/[^\0-\x7f]/gu, letter).replace(/[A-Z]+/g, (each) => each.toLowerCase()).normalize("NFC");
const pairs = (text) => text.replace(RUN, (run) => ` ${[...run].map((each, at, all) => each + (all[at + 1] ?? "")).join(" ")} `);
const tokens = (text) => text.split(/[^\p{L}\p{N}\p{Co}\p{Mn}\p{Mc}]+/u).filter(Boolean).join(" ");
const words = (text) => ` ${tokens(pairs(letters(text)))} `;

// Return what each text of an event must contain one of, for each word and phrase of a question.
function phrases(question) {
  const parts = [...question.matchAll(/"([^"\0]+)"|([^\s"\0]+)/g)]
    .map(([, phrase, word]) => [letters(phrase || word).replaceAll('"', " ").replace(/[\0-/:-@[-`{-\x7f]+$/, ""), word])
    .filter(([text]) => text);
  return parts.map(([text, word], at) => {
    const two = [...text].slice(-2);
    let found = ` ${tokens(pairs(text))}`;
    let goesOn = word && at === parts.length - 1;
    if (ENDS.test(text)) {
      if (two.length > 1 && ENDS.test(two[0])) return `${found.slice(0, -two[1].length).trimEnd()} `;
      goesOn = true;
    }
    return goesOn ? found : `${found} `;
  });
}

// Return a text in pieces, of which each second one was found; around the first of them if it is
// long.
function marked(text, asked) {
  const found = [];
  const starts = [];
  let folded = "";
  for (const match of text.matchAll(/[\p{L}\p{N}\p{M}\p{Co}\p{Cf}]+/gu)) {
    starts.push([folded.length, match.index, match.index + match[0].length]);
    folded += words(match[0]).slice(0, -1);
  }
  folded += " ";
  for (const phrase of asked) {
    for (let at = folded.indexOf(phrase); at >= 0; at = folded.indexOf(phrase, at + 1)) {
      const within = starts.filter(([start], n) => start < at + phrase.trimEnd().length && (starts[n + 1]?.[0] ?? folded.length) > at);
      if (within.length) found.push([within[0][1], within.at(-1)[2]]);
    }
  }
  if (!found.length) return null;
  found.sort(([one], [other]) => one - other);
  const [first] = found[0];
  const before = text.slice(Math.max(first - 120, 0), first).split(" ").slice(-6).join(" ");
  const behind = text.slice(first, first + 120).split(" ").slice(0, 10).join(" ");
  const begin = first - before.length;
  const end = first + behind.length;
  const pieces = [begin ? "... " + before : before];
  let done = first;
  for (const [from, to] of found) {
    if (to <= done || from >= end) continue;
    pieces.push(text.slice(Math.max(from, done), Math.min(to, end)), "");
    if (from > done) pieces[pieces.length - 3] += text.slice(done, from);
    done = Math.min(to, end);
  }
  pieces[pieces.length - 1] += text.slice(done, end) + (end < text.length ? " ..." : "");
  return pieces;
}
return { letters, words, phrases, marked };
})();
