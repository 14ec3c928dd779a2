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

/** The same, asking for one when the one before is answered, so that no more is under way, or held, than one takes. */
export function gatherInTurn<Asked, Answer>(
  asked: readonly Asked[],
  ask: (one: Asked, answered: (answer: Answer) => void) => void,
  done: (answers: readonly Answer[]) => void,
): void {
  const answers: Answer[] = [];
  let isAsking = false;
  const proceed = (): void => {
    // A loop, for thousands may be answered at once, each before `ask` returns.
    if (isAsking) return;
    isAsking = true;
    for (let at = answers.length; at === answers.length && at < asked.length; at++) {
      ask(asked[at]!, (answer) => {
        answers.push(answer);
        proceed();
      });
    }
    isAsking = false;
    if (answers.length === asked.length) done(answers);
  };
  proceed();
}
