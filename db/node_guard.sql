CREATE TRIGGER node_guard BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM node WHERE writing = 0)
BEGIN
    SELECT RAISE(ABORT, 'log: this file is a node of a cluster, and grows with it alone');
END;
