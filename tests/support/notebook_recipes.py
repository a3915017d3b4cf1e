"""The trainings in the solutions of source notebooks, and the experiments that they repeat."""

import ast

from source_notebook import cells, graded, marks, parsed, trained_networks

from autograder.assignments import assignment


def row(assignment_name, name):
    (found,) = [e for e in assignment(assignment_name).experiments if e.name == name]
    return found


def rows(assignment_name, question):
    """Return the experiments of the networks that a question asks for."""
    names = trained_networks(graded(assignment_name, question))
    return [row(assignment_name, name) for name in names]


def solution(assignment_name, question):
    """Return the cell in which a question is solved."""
    (cell,) = [
        c for c in cells(assignment_name) if marks(c).get("grade_id") == f"{question}_solution"
    ]
    return cell


def defined(assignment_name, last):
    """Return a notebook's functions up to a cell, and the expressions assigned to its names."""
    functions, values = {}, {}
    for cell in cells(assignment_name):
        if cell.cell_type == "code":
            for node in parsed(cell).body:
                if isinstance(node, ast.FunctionDef):
                    functions[node.name] = node
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    values[node.targets[0].id] = node.value
        if cell.id == last.id:
            break
    return functions, values


def called(node, name):
    """Return the calls of a function below a node."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    return [c for c in calls if getattr(c.func, "id", "") == name]


class Training:
    """The only training in a solution cell, with the arguments of `fit`."""

    def __init__(self, assignment_name, question):
        cell = solution(assignment_name, question)
        functions, self.values = defined(assignment_name, cell)
        # A function of this cell or of one before it that calls `fit`.
        trains = {name: f for name, f in functions.items() if called(f, "fit")}
        statements = [n for n in parsed(cell).body if not isinstance(n, ast.FunctionDef)]
        body = ast.Module(statements, [])
        calls = [(f, call) for name, f in trains.items() for call in called(body, name)]
        calls += [(trains[c.args[1].id], None) for c in called(body, "train_or_load")]
        ((function, call),) = calls
        (self.fit,) = called(function, "fit")
        self.bound = {}
        if call is not None:
            parameters = [parameter.arg for parameter in function.args.args]
            self.bound = dict(zip(parameters, call.args, strict=True))

    def number(self, node, profile):
        """Return the value of an expression in a profile."""
        if isinstance(node, ast.Name) and node.id in self.bound:
            return self.number(self.bound[node.id], profile)
        if isinstance(node, ast.Name):
            return self.number(self.values[node.id], profile)
        if isinstance(node, ast.BinOp):
            assert isinstance(node.op, ast.Add)
            return self.number(node.left, profile) + self.number(node.right, profile)
        if isinstance(node, ast.Call):
            assert node.func.id == "pick"
            (node,) = [k.value for k in node.keywords if k.arg == profile]
        return ast.literal_eval(node)

    def setting(self, name, profile="quick"):
        """Return the value of an argument of `fit`."""
        (node,) = [k.value for k in self.fit.keywords if k.arg == name]
        return self.number(node, profile)
