/** Takes answers that come one by one, in any order, and hands all of them over in the order of what was asked. */
export function gather<Asked, Answer>(
  asked: readonly Asked[],
  ask: (one: Asked, answered: (answer: Answer) => void) => void,
  done: (answers: readonly Answer[]) => void,
): void {
  const answers: Answer[] = [];
  let missing = asked.length;
  if (missing === 0) return done(answers);
  asked.forEach((one, at) => {
    ask(one, (answer) => {
      answers[at] = answer;
      missing--;
      if (missing === 0) done(answers);
    });
  });
}
