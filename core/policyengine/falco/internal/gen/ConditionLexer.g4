// Tokens of a condition. What follows an operator is lexed differently from all else: an operator switches to VALUE,
// which yields one value and returns; a bracket there opens a list, a transformer a call. No character is refused here:
// what fits nowhere becomes ILLEGAL, for the parser to report.
lexer grammar ConditionLexer;

tokens { QUOTED, BARE, COMMA, LBRACK, RBRACK, ARGUMENT }

// Operand position

AND    : 'and';
OR     : 'or';
NOT    : 'not';
EXISTS : 'exists';

ORDER_OP : ('<' | '<=' | '>' | '>=') -> pushMode(VALUE);
TEXT_OP
  : ('=' | '==' | '!=' | 'contains' | 'icontains' | 'bcontains' | 'startswith' | 'bstartswith' | 'endswith'
  | 'glob' | 'iglob' | 'regex') -> pushMode(VALUE);
LIST_OP  : ('in' | 'pmatch' | 'intersects') -> pushMode(VALUE);

TRANSFORMER : 'tolower' | 'toupper' | 'b64' | 'basename' | 'len';
UNSUPPORTED : ('join' | 'concat' | 'getopt') BLANK* '(' -> pushMode(ARGUMENTS);
RESERVED    : 'val' | 'oneof' | 'anyof' | 'allof' | 'join' | 'concat' | 'getopt';

NAME      : [A-Za-z0-9_] [A-Za-z0-9_.-]*;
SUBSCRIPT : '[' (STRING | ~[ \t\r\n[\]"']+) ']';

LPAREN  : '(';
RPAREN  : ')';
WS      : BLANK+ -> skip;
ILLEGAL : .;

fragment BLANK  : [ \t\r\n];
fragment STRING : '"' ('\\' . | ~["\\])* '"' | '\'' ('\\' . | ~['\\])* '\'';
fragment OPEN   : '"' ('\\' . | ~["\\])* '\\'? | '\'' ('\\' . | ~['\\])* '\\'?;
fragment FIRST  : ~[ \t\r\n()[\]"'=,];
fragment REST   : ~[ \t\r\n()"'=,];

// One value

mode VALUE;

// A quantifier is an ordinary value unless a blank comes before it and a bracket behind it, both of which are
// therefore part of the token.
QUANTIFIER_ROUND  : BLANK+ ('oneof' | 'anyof' | 'allof') BLANK* '(' -> mode(ROUND);
QUANTIFIER_SQUARE : BLANK+ ('oneof' | 'anyof' | 'allof') BLANK* '[' -> mode(SQUARE);

CALL             : ('tolower' | 'toupper' | 'b64' | 'basename' | 'len') '(' -> mode(OPERAND);
VAL              : 'val(' -> mode(OPERAND);
CALL_UNSUPPORTED : ('join' | 'concat' | 'getopt') '(' -> mode(ARGUMENTS);

V_LPAREN     : '(' -> type(LPAREN), mode(ROUND);
V_LBRACK     : '[' -> type(LBRACK), mode(SQUARE);
V_QUOTED     : STRING -> type(QUOTED), popMode;
UNTERMINATED : OPEN -> popMode;
V_BARE       : FIRST REST* -> type(BARE), popMode;
V_WS         : BLANK+ -> skip;
V_ILLEGAL    : . -> type(ILLEGAL), popMode;

// A list in parentheses, where text may hold brackets

mode ROUND;

R_LPAREN       : '(' -> type(LPAREN), pushMode(ROUND);
R_RPAREN       : ')' -> type(RPAREN), popMode;
R_LBRACK       : '[' -> type(LBRACK), pushMode(SQUARE);
R_COMMA        : ',' -> type(COMMA);
R_QUOTED       : STRING -> type(QUOTED);
R_UNTERMINATED : OPEN -> type(UNTERMINATED);
R_BARE         : FIRST REST* -> type(BARE);
R_WS           : BLANK+ -> skip;
R_ILLEGAL      : . -> type(ILLEGAL);

// A list in brackets, where it may not

mode SQUARE;

S_LPAREN       : '(' -> type(LPAREN), pushMode(ROUND);
S_LBRACK       : '[' -> type(LBRACK), pushMode(SQUARE);
S_RBRACK       : ']' -> type(RBRACK), popMode;
S_COMMA        : ',' -> type(COMMA);
S_QUOTED       : STRING -> type(QUOTED);
S_UNTERMINATED : OPEN -> type(UNTERMINATED);
S_BARE         : FIRST+ -> type(BARE);
S_WS           : BLANK+ -> skip;
S_ILLEGAL      : . -> type(ILLEGAL);

// An operand in a call on the right-hand side

mode OPERAND;

O_TRANSFORMER : ('tolower' | 'toupper' | 'b64' | 'basename' | 'len') -> type(TRANSFORMER);
O_NAME        : [A-Za-z0-9_] [A-Za-z0-9_.-]* -> type(NAME);
O_SUBSCRIPT   : '[' (STRING | ~[ \t\r\n[\]"']+) ']' -> type(SUBSCRIPT);
O_LPAREN      : '(' -> type(LPAREN), pushMode(OPERAND);
O_RPAREN      : ')' -> type(RPAREN), popMode;
O_WS          : BLANK+ -> skip;
O_ILLEGAL     : . -> type(ILLEGAL);

// Arguments of functions that are known but not supported: anything up to the parenthesis that closes them

mode ARGUMENTS;

A_LPAREN       : '(' -> type(LPAREN), pushMode(ARGUMENTS);
A_RPAREN       : ')' -> type(RPAREN), popMode;
A_ARGUMENT     : (STRING | ~[()"'])+ -> type(ARGUMENT);
A_UNTERMINATED : OPEN -> type(UNTERMINATED);
