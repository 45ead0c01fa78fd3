// Loaded before a command (`node --import`): the command sees the time in HELD_TIME, epoch seconds.
Date.now = () => Number(process.env.HELD_TIME) * 1000;
