-- With whose rights a schedule submits, as JSON; NULL in what was made before there was a policy.
ALTER TABLE schedules ADD COLUMN authority TEXT;
